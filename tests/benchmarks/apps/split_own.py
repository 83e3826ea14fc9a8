"""The group of the function that is measured."""

from router import Router

own = Router()


@own.get("/orders/{order_id}")
def show(order_id: str) -> dict[str, str]:
    return {"id": order_id}


for _route in range(9):

    @own.get(f"/orders{_route}/{{order_id}}")
    def show_other(order_id: str) -> dict[str, str]:
        return {"id": order_id}
