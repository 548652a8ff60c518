"""Opens the demo: what is asked for goes in; a stack is built around it, and whether it came to its end comes out.

Everything is ended on every way out.
"""

import json
import secrets
from contextlib import ExitStack

from functions.demo.environment import environment_in, service_in, waits
from functions.demo.run import Asked, Performance
from functions.demo.scenario import PLOTS, Plot
from functions.demo.setup import Staging, choice, notes_of
from functions.demo.storm import storm
from functions.demo.visitors import visiting
from functions.local import extra_servers
from functions.local.narration import clock
from functions.local.page.clicks import Clicker
from functions.local.platform.journal import sink_takes
from functions.local.server_process import LOOPBACK, free_port, is_free
from functions.local.stack import Standing, Wanted, standing
from functions.local.stack_folder import alone_in, led_to
from functions.local.supervisor import Tended
from functions.local.topology import CALLED
from shared.adapters.machine import SystemClock
from shared.adapters.standins.served_platform import ServedPlatform
from shared.config.settings import read_settings
from shared.errors import InputError
from shared.secret import Secret
from shared.service import Service
from shared.wiring import open_service_logs, create_store
from shared.workflow import flow
from shared.workflow.flow import State
from shared.workflow.records.incident_record import Case

_SAMPLE = 200
"""Entries of which a storm is made."""


def perform(asked: Asked) -> bool:
    """Whether the scenario came to the end that it is about. Raises Unreadable, Misused."""
    page = asked.page_port or free_port()
    if not is_free(page):
        raise InputError(f"Port {page} is taken, and the page needs it: end what listens there, or give another --port")
    with ExitStack() as ending:
        ending.enter_context(alone_in(asked.folder))
        performance = _opened(asked, page, ending)
        asked.show(performance.page)
        ended = _ended(asked, performance.staging.plot, performance.until_over())
        if not asked.auto_approve:
            asked.say(f"The page stays at {performance.page} until you end this with Ctrl-C.")
            performance.until_interrupted()
        return ended


def _opened(asked: Asked, page: int, ending: ExitStack) -> Performance:
    """The service has failed, and everything runs that is to see to it."""
    secret, port = Secret(secrets.token_hex(16)), free_port()
    service = service_in(asked.folder, port)
    environment = environment_in(asked.folder, service, port, secret)
    staging = _staging(asked, service, port)
    ending.enter_context(led_to(environment))
    tended = Tended(asked.folder, ending)
    tended.start([extra_servers.platform(asked.folder, port, environment)])
    opened = create_store(read_settings())
    staging.play(ServedPlatform(opened, SystemClock()))
    asked.say(waits())
    wanted = Wanted(
        asked.folder,
        embedded=True,
        environment=environment,
        beside=lambda ports: [extra_servers.page(asked.folder, page, ports[CALLED], environment)],
    )
    stack = ending.enter_context(standing(wanted))
    stack.tended.running |= tended.running
    visitors = ending.enter_context(visiting(port))
    _blow(asked, service, staging.plot, stack)
    clicker = Clicker(f"http://{LOOPBACK}:{stack.ports[CALLED]}/", lambda: secret)
    return Performance(asked, service, stack, staging, opened, clicker, visitors, f"http://{LOOPBACK}:{page}/")


def _staging(asked: Asked, service: Service, port: int) -> Staging:
    plot, notes = PLOTS[asked.scenario], notes_of(asked.folder, asked.scenario, read_settings().interpreters)
    asked.say(f"Scenario “{asked.scenario}”. {plot.about}")
    asked.say(choice(notes))
    return Staging(asked.folder, service, port, plot, asked.say, notes)


def _ended(asked: Asked, plot: Plot, case: Case) -> bool:
    asked.say("The clock: " + ", ".join(clock(case)) + ".")
    by_person = case.state in {State.DENIED, State.EXPIRED, State.MUTED}
    if case.state is not plot.ends and not by_person:
        asked.say(f"It ended as {case.state.value}, and should have ended as {plot.ends.value}: {case.ending_why}")
    return case.state is plot.ends or by_person


def _blow(asked: Asked, service: Service, plot: Plot, stack: Standing) -> None:
    """All at once: into the log, and through the sink."""
    if not plot.storm:
        return
    logs = open_service_logs(read_settings())
    entries = list(storm([each for each in logs.raw(service, _SAMPLE) if sink_takes(each)], plot.storm))
    logs.write(entries)
    stack.bus.put(flow.LOG_ENTRIES, [json.dumps(each).encode() for each in entries])
    logs.close()
    asked.say(f"{len(entries):,} entries of this failure were logged at once.")
