"""The version of the protocol, under the path that existing code imports it from."""

from prefect.version import API_VERSION as SERVER_API_VERSION

__all__ = ["SERVER_API_VERSION"]
