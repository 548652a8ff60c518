"""One file per stage of the flow: call ports, build the domain value, hand it on."""
