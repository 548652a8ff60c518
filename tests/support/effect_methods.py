"""What test_only_effects_act and other tests share."""

EFFECT_METHODS = {
    ("bus", "publish"),
    ("issues", "open"),
    ("issues", "comment"),
    ("issues", "close"),
    ("issues", "reopen"),
    ("issues", "replace_content"),
    ("issues", "update_status_section"),
    ("issues", "create_labels"),
    ("chat", "post"),
    ("chat", "update"),
    ("chat", "reply"),
    ("chat", "remind"),
    ("pager", "alert"),
    ("pager", "resolve"),
    ("check_runs", "create_run"),
    ("deployer", "start"),
    ("deployer", "shift_traffic"),
}
