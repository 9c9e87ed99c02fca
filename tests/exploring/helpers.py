"""A cell that is cheap to explore, a crew of this process, and waiting for another process."""

import time
from concurrent.futures import Future

from gradcheck.exploring.judge import judge

RIGHT = """
def scaled(x: "N"):
    y = 2 * x

    def backward(dy):
        dx = 2 * dy
        return (dx,)

    return y, backward
"""


class Here:
    """A crew of this very process; ``does`` what is wanted instead of judging."""

    def __init__(self, does=judge, room=1):
        self.does, self.wide, self.given = does, room, []

    def room(self):
        return self.wide

    def submit(self, unit):
        self.given.append(unit)
        future = Future()
        try:
            future.set_result(self.does(unit))
        except Exception as error:
            future.set_exception(error)
        return future

    def outcome(self, future):
        return future.result()

    def close(self):
        pass


def until(true):
    """Wait for something that another process does; a minute is an error."""
    for _ in range(3000):
        if true():
            return
        time.sleep(0.02)
    raise TimeoutError
