"""`qyt` with one service more, the tally: `python -m tests.probe serve --target registry --target tally`."""

import sys

import click

from chassis.commands import common_commands
from chassis.moving.commands import district_commands
from services.__main__ import TARGETS, main, serve
from services.registry.commands import districts
from tests.probe.tally.manifest import MANIFEST

TARGETS[MANIFEST.name] = MANIFEST
for option in serve.params:
    if option.name == "targets":
        option.type = click.Choice(["all", "gateway", *TARGETS])
for command in common_commands(list(TARGETS.values())):
    main.add_command(command)
for command in district_commands(list(TARGETS.values())):
    districts.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
