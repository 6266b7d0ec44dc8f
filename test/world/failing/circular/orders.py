from circular.customers import Customer  # noqa: F401


class Order:
    pass
