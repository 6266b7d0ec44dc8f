from circular.orders import Order  # noqa: F401
