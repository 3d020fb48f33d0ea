"""Walks through the api with the generated Python client: registers athletes, finds them
again, and shows what failures look like.

    API_GRPC=127.0.0.1:9233 API_TOKEN=... python main.py
"""

import json
import os
import time

import grpc
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status

from stravasync.athletes.v1.athletes_pb2 import (
    GetAthleteRequest,
    ListAthletesRequest,
    RegisterAthleteRequest,
)
from stravasync.athletes.v1.athletes_pb2_grpc import AthletesServiceStub
from stravasync.athletes.v1.athletes_service_pages import list_athletes_all


def walk(athletes: AthletesServiceStub) -> dict[str, object]:
    operator = (("authorization", f"Bearer {os.environ['API_TOKEN']}"),)
    report: dict[str, object] = {}

    registered = []
    for number in range(5):
        request = RegisterAthleteRequest(
            display_name=f"Python {number}", email=f"python-{number}@example.org"
        )
        registered.append(athletes.RegisterAthlete(request, timeout=10).athlete.athlete_id)
    report["registered"] = registered

    found = athletes.GetAthlete(
        GetAthleteRequest(athlete_id=registered[0]), timeout=10, metadata=operator
    )
    report["found"] = found.athlete.display_name

    # Two a page, as many pages as it takes.
    pages = list_athletes_all(athletes, ListAthletesRequest(page_size=2), metadata=operator)
    report["listed"] = [athlete.athlete_id for athlete in pages]

    try:
        athletes.RegisterAthlete(
            RegisterAthleteRequest(display_name="Python again", email="python-0@example.org")
        )
    except grpc.RpcError as error:
        report["taken"] = code(error)

    try:
        athletes.GetAthlete(GetAthleteRequest(athlete_id="nobody"), metadata=operator)
    except grpc.RpcError as error:
        report["invalid"] = code(error)
        report["violations"] = violations(error)

    try:
        athletes.ListAthletes(ListAthletesRequest())
    except grpc.RpcError as error:
        report["anonymous"] = code(error)

    # The api would take longer than we are willing to wait.
    start = time.monotonic()
    try:
        slow = RegisterAthleteRequest(display_name="Slow", email="python-slow@example.org")
        athletes.RegisterAthlete(slow, timeout=0.5)
    except grpc.RpcError as error:
        report["late"] = code(error)
        report["waitedMs"] = round((time.monotonic() - start) * 1000)
    return report


def code(error: grpc.RpcError) -> str:
    """The name of a failure's code."""
    assert isinstance(error, grpc.Call)
    return error.code().name


def violations(error: grpc.RpcError) -> list[str]:
    """The fields that the server does not accept."""
    fields: list[str] = []
    assert isinstance(error, grpc.Call)
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else []:
        bad_request = error_details_pb2.BadRequest()
        if detail.Unpack(bad_request):
            fields += [violation.field for violation in bad_request.field_violations]
    return fields


if __name__ == "__main__":
    # Behind TLS: grpc.secure_channel.
    with grpc.insecure_channel(os.environ["API_GRPC"]) as channel:
        print(json.dumps(walk(AthletesServiceStub(channel))))
