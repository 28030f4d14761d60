"""`flows demo`: a shop that never closes: a pipeline, a workflow, a task tree, limits; some of it fails."""

from __future__ import annotations

import asyncio
import logging
import random
import shlex
import signal
import sys
from itertools import count
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from flows.cli.demo.server import demo_server
from flows.cli.demo.shop import Bill, Mail, Order, make_shop
from flows.cli.demo.trees import Season
from flows.errors import ValidationError
from flows.server_url import parse_server_url

if TYPE_CHECKING:
    from flows.cli.demo.shop import Shop
    from flows.cli.demo.trees import Catalogue

#: Customers of the shop.
_CUSTOMERS: Final = 100
#: Where more jobs wait, nothing is ordered until some are done: a demo that runs for weeks stays small.
_MOST_WAITING: Final = 500
_MOST_CENTS: Final = 20_000
#: Each so many seconds there is a catalogue.
_SEASON: Final = 30.0
_SEASONS: Final = ("spring", "summer", "autumn", "winter")
#: Where its customers live; most in the first.
_COUNTRIES: Final = ("DE", "DE", "DE", "FR", "NL")


def demo(
    *,
    seconds: Annotated[float, Parameter(help="End after so many; 0: run until Ctrl-C.")] = 0.0,
    rate: Annotated[float, Parameter(help="Orders a second.")] = 3.0,
    redis_url: Annotated[
        str | None,
        Parameter(help="A server of yours, where its jobs stay for 15 minutes; else the embedded one, and none stay."),
    ] = None,
    namespace: Annotated[str, Parameter(help="With --redis-url: what stands before every key.")] = "",
) -> int:
    """Run a shop that never closes: look at it with `flows ls`, `flows jobs ls flow:shop state:failed`, `flows web`.

    It runs on the embedded server, where the other commands look without options. What you have there it leaves alone:
    it then takes a server of its own, and says how to look at it. When it ends, nothing of it is left.
    """
    if seconds < 0 or not 0 < rate <= 1000:  # noqa: PLR2004 - said in the sentence
        raise ValidationError("flows demo: --seconds is 0 or more, and --rate above 0 and up to 1000")
    if redis_url is not None:
        return _run(redis_url, namespace, ["--redis-url", redis_url], seconds, rate)
    if namespace:
        raise ValidationError("flows demo: --namespace is for a server of yours: give --redis-url too")
    with demo_server() as (url, options):
        return _run(url, "", options, seconds, rate)


def _run(url: str, namespace: str, options: list[str], seconds: float, rate: float) -> int:
    more = shlex.join([*options, *(["--namespace", namespace] if namespace else [])])
    sys.stderr.write(f"flows demo: a shop on {parse_server_url(url)}, until Ctrl-C; look at it with\n")
    for command in ("flows ls", "flows web"):
        sys.stderr.write(f"  {command} {more}".rstrip() + "\n")
    logger = logging.getLogger("flows")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # what fails here fails on purpose, and is for those commands to show
    try:
        return asyncio.run(_keep_open(make_shop(url, namespace), seconds, rate))
    finally:
        logger.setLevel(level)


async def _keep_open(shop: Shop, seconds: float, rate: float) -> int:
    """Run the shop until it is told to end, or its time is over."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the last one as its terminal is closed
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, over.set)
    async with shop.orders, shop.mails, shop.billing, shop.catalogue.trees:
        busy = {asyncio.create_task(one) for one in (_order(shop, 1 / rate), _print(shop.catalogue))}
        for one in busy:
            one.add_done_callback(lambda _task: over.set())
        try:
            async with asyncio.timeout(seconds or None):
                await over.wait()
        except TimeoutError:
            pass
        for one in busy:
            one.cancel()
        await asyncio.wait(busy)
    for one in busy:
        if not one.cancelled():
            one.result()
    return 0


async def _order(shop: Shop, pause: float) -> None:
    """Order, mail and bill, for ever."""
    chance = random.Random()  # noqa: S311 - whoever orders
    while True:
        customer, cents = chance.randrange(_CUSTOMERS), chance.randrange(100, _MOST_CENTS)
        waiting = sum(queue.waiting for queue in (await shop.orders.states()).values())
        if waiting < _MOST_WAITING:
            await shop.orders.create_job(Order(customer=customer, cents=cents))
        if (await shop.mails.states())["mails-send"].waiting < _MOST_WAITING:
            await shop.mails.create_job(Mail(customer=customer, country=chance.choice(_COUNTRIES)))
        if chance.random() < 1 / 3:
            await shop.bill.run(Bill(customer=customer, cents=cents))
        await asyncio.sleep(pause)


async def _print(catalogue: Catalogue) -> None:
    """Print a catalogue of each season, one after another, for ever."""
    for number in count(1):
        season = Season(name=f"{_SEASONS[number % len(_SEASONS)]} {2027 + number // len(_SEASONS)}")
        labels = {"season": season.name.partition(" ")[0]}
        await catalogue.of_season.create(season, realm="shop", name=season.name, labels=labels, execute=True)
        await asyncio.sleep(_SEASON)
