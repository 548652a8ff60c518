"""What conftest and other tests share."""

from collections.abc import Callable

from shared.ports import Store

StoreOpener = Callable[[], Store]
