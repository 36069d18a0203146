"""Requests as they are, for what no method of the client does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client.errors import status_error_of
from prefect.client.http import HttpClient
from prefect.client.orchestration.base import Group
from prefect.exceptions import ConfigurationError

if TYPE_CHECKING:
    import httpx

__all__ = ["RawMethods", "Requests"]


class Requests:
    """Sends requests to a server, again if need be.

    Args:
        client: The client of the server.
    """

    __slots__ = ("_client",)

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send a request.

        Args:
            method: The HTTP method.
            url: The path below the API's URL.
            options: As `httpx.Client.request` takes them: `json`, `params`, `headers` …

        Raises:
            prefect.exceptions.PrefectHTTPStatusError: The answer is no success.
        """
        response = self._client.transport.send(method, url, **options)
        if not response.is_success:
            raise status_error_of(response)
        return response

    def get(self, url: str, **options: Any) -> httpx.Response:
        """Send a GET request; see `request`."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        """Send a POST request; see `request`."""
        return self.request("POST", url, **options)

    def patch(self, url: str, **options: Any) -> httpx.Response:
        """Send a PATCH request; see `request`."""
        return self.request("PATCH", url, **options)

    def put(self, url: str, **options: Any) -> httpx.Response:
        """Send a PUT request; see `request`."""
        return self.request("PUT", url, **options)

    def delete(self, url: str, **options: Any) -> httpx.Response:
        """Send a DELETE request; see `request`."""
        return self.request("DELETE", url, **options)


class RawMethods(Group):
    """Requests that no other method makes."""

    def request(
        self,
        method: str,
        path: str,
        params: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> httpx.Response:
        """Send a request to the server.

        Args:
            method: The HTTP method.
            path: The path below the API's URL; names in braces are filled from `path_params`.
            params: The query.
            path_params: What is filled into the path.
            kwargs: Further arguments, as `httpx.Client.request` takes them.

        Raises:
            prefect.exceptions.PrefectHTTPStatusError: The answer is no success.
            prefect.exceptions.ConfigurationError: There is no server.
        """
        filled = path.format(**path_params) if path_params else path
        return self._requests.request(method, filled, params=params, **kwargs)

    @property
    def _requests(self) -> Requests:
        caller = self._caller
        if isinstance(caller, HttpClient):
            return Requests(caller)
        raise ConfigurationError(
            "Plain requests need a server: set PREFECT_API_URL. The other methods of the client work without."
        )
