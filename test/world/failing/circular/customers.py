from circular.orders import Order  # noqa: F401


class Customer:
    pass
