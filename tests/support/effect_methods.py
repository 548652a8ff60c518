"""What test_only_effects_act and other tests share."""

EFFECT_METHODS = {
    ("bus", "publish"),
    ("issues", "open"),
    ("issues", "comment"),
    ("issues", "close"),
    ("issues", "reopen"),
    ("issues", "rewrite"),
    ("issues", "revise"),
    ("issues", "prepare"),
    ("chat", "post"),
    ("chat", "update"),
    ("chat", "reply"),
    ("deployer", "start"),
    ("deployer", "shift"),
}
