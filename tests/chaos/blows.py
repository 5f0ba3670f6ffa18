"""How a trouble begins and ends: the only place that does something to a replica, the broker or a stand-in."""

import os
import signal
from collections.abc import Callable

from tests.chaos.field import Field
from tests.chaos.middlemen import Manner
from tests.chaos.plan import BROKER, PARTITIONS, Blow, Trouble
from tests.chaos.replicas import Replica


class Blows:
    """Carries troubles out on a field. `ask_stand_ins`: gives them an order."""

    def __init__(self, field: Field, ask_stand_ins: Callable[..., None]) -> None:
        self._field = field
        self._ask_stand_ins = ask_stand_ins

    def begin(self, trouble: Trouble) -> None:
        if trouble.whom == BROKER:
            self._strike_broker(trouble.blow)
        elif trouble.blow is Blow.HANG:
            self._ask_stand_ins(hang=[trouble.whom])
        elif trouble.blow is Blow.SOURCE:
            self._ask_stand_ins(fault=trouble.detail)
        elif trouble.blow in PARTITIONS:
            self._field.partition(trouble.whom, Manner(str(trouble.blow)))
        else:
            self._strike(self._field.replicas[trouble.whom], trouble)

    def end(self, trouble: Trouble) -> None:
        if trouble.whom == BROKER:
            self._mend_broker(trouble.blow)
        elif trouble.blow is Blow.HANG:
            self._ask_stand_ins(heal=[trouble.whom])
        elif trouble.blow is Blow.SOURCE:
            self._ask_stand_ins(fault=None)
        elif trouble.blow in PARTITIONS:
            self._field.partition(trouble.whom, Manner.OPEN)
        else:
            self._mend(self._field.replicas[trouble.whom], trouble.blow)

    def _strike(self, replica: Replica, trouble: Trouble) -> None:
        if trouble.blow is Blow.KILL:
            replica.kill()
        elif trouble.blow is Blow.FREEZE:
            replica.freeze()
        elif trouble.blow is Blow.LEAVE:
            replica.ask_to_leave()
        elif trouble.blow is Blow.JOIN:
            replica.start()
        elif trouble.blow is Blow.SKEW:
            replica.kill()
            replica.start(float(trouble.detail))

    def _mend(self, replica: Replica, blow: Blow) -> None:
        if blow is Blow.FREEZE:
            replica.thaw()
        elif blow is Blow.JOIN:
            replica.ask_to_leave()
        else:
            if blow is Blow.LEAVE:
                replica.end()  # it had all this time; whoever still runs then would be two
            elif blow is Blow.SKEW:
                replica.kill()
            replica.start()

    def _strike_broker(self, blow: Blow) -> None:
        if blow is Blow.FREEZE:
            os.kill(self._field.broker.pid, signal.SIGSTOP)
            return
        self._field.broker.process.kill()
        self._field.broker.process.wait()
        if blow is Blow.FORGET:
            self._field.forget()

    def _mend_broker(self, blow: Blow) -> None:
        if blow is Blow.FREEZE:
            os.kill(self._field.broker.pid, signal.SIGCONT)
        else:
            self._field.broker.restart()
