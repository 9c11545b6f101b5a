"""Microsoft's own Python clients, MSAL and the Graph SDK, driving the sandbox through everything a sync does.

What the SDK asks and how it reads the answers is Microsoft's, not ours. Every answer that passes is kept, so that another
judge can hold it to Microsoft's types.
"""

import asyncio
import json
import re
import urllib.parse
import warnings

import httpx
import msal
import requests
from kiota_abstractions.api_error import APIError
from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator, BaseBearerTokenAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.calendar import Calendar
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.day_of_week import DayOfWeek
from msgraph.generated.models.event import Event
from msgraph.generated.models.event_type import EventType
from msgraph.generated.models.free_busy_status import FreeBusyStatus
from msgraph.generated.models.patterned_recurrence import PatternedRecurrence
from msgraph.generated.models.recurrence_pattern import RecurrencePattern
from msgraph.generated.models.recurrence_pattern_type import RecurrencePatternType
from msgraph.generated.models.recurrence_range import RecurrenceRange
from msgraph.generated.models.recurrence_range_type import RecurrenceRangeType
from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty
from msgraph.generated.users.item.calendar.get_schedule.get_schedule_post_request_body import GetSchedulePostRequestBody
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory

MICROSOFT = "https://login.microsoftonline.com"
CLIENT_ID = "5a4db0c1-0000-4000-8000-0000b0012011"
SCOPES = ["User.Read", "Calendars.ReadWrite"]
MARK = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name bookijiBooking"
WINDOW = {"start_date_time": "2027-02-01T00:00:00Z", "end_date_time": "2027-04-01T00:00:00Z"}


class ToSandbox(requests.Session):
    """MSAL talks https to Microsoft's own name only; here that name leads to the sandbox, and back."""

    def __init__(self, url):
        super().__init__()
        self.here = url + "/microsoft"

    def request(self, method, url, **options):
        answer = super().request(method, self.there(url), **options)
        answer._content = answer.content.replace(self.here.encode(), MICROSOFT.encode())
        return answer

    def there(self, url):
        return url.replace(MICROSOFT, self.here, 1)


def sign_in(sandbox):
    """Signs in with MSAL, through the consent page. Gives back MSAL's application and her account."""
    session = ToSandbox(sandbox.url)
    application = msal.PublicClientApplication(
        CLIENT_ID,
        authority=MICROSOFT + "/common",
        http_client=session,
        instance_discovery=False,
    )
    # A loopback listener is answered by query, as Microsoft's own public clients are; MSAL would rather have a form.
    warnings.filterwarnings("ignore", message="response_mode")
    flow = application.initiate_auth_code_flow(SCOPES, redirect_uri="http://localhost:49152")
    assert "code_challenge_method=S256" in flow["auth_uri"], flow["auth_uri"]
    answer = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(sandbox.consent(session.there(flow["auth_uri"]))).query))
    tokens = application.acquire_token_by_auth_code_flow(flow, answer)
    assert "access_token" in tokens, tokens
    return application, application.get_accounts()[0]


class Client:
    """The SDK's client, and what was answered to it."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.answers = []
        self.application, self.account = sign_in(sandbox)
        http = httpx.AsyncClient(event_hooks={"response": [self.keep]}, timeout=30, trust_env=False)
        http = GraphClientFactory.create_with_default_middleware(options=options, client=http)
        adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(Tokens(self)), client=http)
        adapter.base_url = sandbox.url + "/graph/v1.0"
        self.graph = GraphServiceClient(request_adapter=adapter)

    async def keep(self, response):
        await response.aread()
        path = response.request.url.path.removeprefix("/graph/v1.0")
        if response.content:
            self.answers += typed(path, json.loads(response.content), f"{response.request.method} {path} {response.status_code}")


class Tokens(AccessTokenProvider):
    def __init__(self, client):
        self.client = client

    async def get_authorization_token(self, uri, additional_authentication_context=None):
        tokens = self.client.application.acquire_token_silent(SCOPES, self.client.account)
        return tokens["access_token"]

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator(["127.0.0.1"])


def typed(path, body, of):
    """What in an answer is of which of Microsoft's types."""
    if "error" in body:
        # The type has no word for the annotation, and calls the inner part by another case than the wire does.
        error = {("innerError" if name == "innererror" else name): value for name, value in body["error"].items()}
        inner = error.pop("innerError", {})
        assert inner.get("request-id"), f"{of}: an error without its request's id"
        return [{"type": "publicError", "body": error, "of": of}]
    if "responses" in body:
        # The batches here create events and nothing else.
        return [{"type": "event", "body": item["body"], "of": f"{of}, {item['id']}"} for item in body["responses"]]
    kind = "user"
    for pattern, named in {r"getSchedule$": "scheduleInformation", r"/(calendarView|events|instances)\b": "event", r"/calendars?\b": "calendar"}.items():
        if re.search(pattern, path):
            kind = named
            break
    items = body["value"] if isinstance(body.get("value"), list) else [body]
    return [{"type": kind, "body": item, "of": of} for item in items]


async def refused(call, status, code):
    """The call is refused with this status and this code, as the SDK reads them."""
    try:
        await call
    except APIError as error:
        told = (error.response_status_code, error.error.code)
        assert told == (status, code), f"{told} is not {(status, code)}"
        return error
    raise AssertionError(f"not refused with {status} {code}")


def asking(builder, *wishes, headers=None, **query):
    """A request's configuration: query parameters as the SDK has them for this request, and what is preferred."""
    # A list's own class is named in its `get`, which is where the SDK's own examples take it from.
    holder = next((name for name in dir(builder) if name.endswith("GetQueryParameters")), None)
    parameters = getattr(builder, holder)(**query) if holder else None
    configuration = RequestConfiguration(query_parameters=parameters)
    for wish in wishes:
        configuration.headers.add("Prefer", wish)
    for name, value in (headers or {}).items():
        configuration.headers.add(name, value)
    return configuration


def at(text, zone="UTC"):
    return DateTimeTimeZone(date_time=text, time_zone=zone)


def booking(mark, **more):
    event = Event(
        subject="Booking: Haircut",
        start=at("2027-02-02T10:00:00"),
        end=at("2027-02-02T11:00:00"),
        is_reminder_on=False,
        single_value_extended_properties=[SingleValueLegacyExtendedProperty(id=MARK, value=mark)],
    )
    for name, value in more.items():
        setattr(event, name, value)
    return event


async def who(client):
    user = await client.graph.me.get()
    assert user.user_principal_name == client.account["username"], user.user_principal_name


async def calendars(client):
    graph = client.graph
    made = await graph.me.calendars.post(Calendar(name="Judged"))
    seen, page = [], await graph.me.calendars.get(asking(graph.me.calendars, top=1))
    while True:
        seen += page.value
        if not page.odata_next_link:
            break
        page = await graph.me.calendars.with_url(page.odata_next_link).get()
    assert [(one.name, one.is_default_calendar, one.can_edit) for one in seen] == [
        ("Calendar", True, True),
        ("Canada holidays", False, False),
        ("Judged", False, True),
    ], [one.name for one in seen]
    assert seen[0].owner.address == client.account["username"]
    mine = graph.me.calendars.by_calendar_id(made.id)
    assert (await mine.patch(Calendar(name="Renamed"))).name == "Renamed"
    holidays = graph.me.calendars.by_calendar_id(seen[1].id)
    await refused(holidays.events.post(booking("b")), 403, "ErrorAccessDenied")
    await mine.delete()
    await refused(mine.get(), 404, "ErrorItemNotFound")


async def writes(client):
    events = client.graph.me.events
    made = await events.post(booking("b-1", transaction_id="t-1"))
    assert made.start.date_time == "2027-02-02T10:00:00.0000000" and made.show_as == FreeBusyStatus.Busy
    error = await refused(events.post(booking("b-1", transaction_id="t-1")), 409, "ErrorDuplicateTransactionId")
    assert error.error.additional_data["@event.existingEventId"] == made.id
    await refused(events.post(booking("b-1", transaction_id="t-1")), 400, "ErrorDuplicateTransactionId")
    one = events.by_event_id(made.id)
    tag = made.additional_data["@odata.etag"]
    changed = await one.patch(Event(subject="Booking: Colour"), asking(one, headers={"If-Match": tag}))
    assert changed.subject == "Booking: Colour" and changed.change_key != made.change_key
    await refused(one.patch(Event(subject="x"), asking(one, headers={"If-Match": tag})), 412, "ErrorIrresolvableConflict")
    await refused(one.delete(asking(one, headers={"If-Match": tag})), 412, "ErrorIrresolvableConflict")
    filter = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq 'b-1')"
    found = await events.get(asking(events, filter=filter, expand=[f"singleValueExtendedProperties($filter=id eq '{MARK}')"]))
    assert [(one.id, one.single_value_extended_properties[0].value) for one in found.value] == [(made.id, "b-1")]
    immutable = await one.get(asking(one, 'IdType="ImmutableId"'))
    assert immutable.id != made.id
    await one.delete()
    await refused(one.get(), 404, "ErrorItemNotFound")
    await refused(events.by_event_id("nonsense").get(), 400, "ErrorInvalidIdMalformed")
    await refused(events.post(booking("b", end=at("2027-02-02T09:00:00"))), 400, "ErrorPropertyValidationFailure")
    await refused(events.post(booking("b", start=at("2027-02-02T10:00:00", "America/Toronto"))), 400, "TimeZoneNotSupportedException")


async def series(client):
    from datetime import date

    graph = client.graph
    pattern = RecurrencePattern(type=RecurrencePatternType.Weekly, interval=1, days_of_week=[DayOfWeek.Tuesday])
    span = RecurrenceRange(type=RecurrenceRangeType.Numbered, start_date=date(2027, 3, 2), number_of_occurrences=4)
    eastern = "Eastern Standard Time"
    master = await graph.me.events.post(
        booking("s", start=at("2027-03-02T19:00:00", eastern), end=at("2027-03-02T20:00:00", eastern), recurrence=PatternedRecurrence(pattern=pattern, range=span))
    )
    assert master.type == EventType.SeriesMaster and master.recurrence.range.recurrence_time_zone == eastern
    instances = graph.me.events.by_event_id(master.id).instances
    listed = await instances.get(asking(instances, f'outlook.timezone="{eastern}"', **WINDOW))
    # The clocks change on 14 March: the wall time stays.
    assert {one.start.date_time[11:16] for one in listed.value} == {"19:00"} and len(listed.value) == 4
    second = graph.me.events.by_event_id(listed.value[1].id)
    await refused(second.patch(Event(start=at("2027-03-17T08:00:00"), end=at("2027-03-17T09:00:00"))), 400, "ErrorOccurrenceCrossingBoundary")
    moved = await second.patch(Event(start=at("2027-03-11T08:00:00"), end=at("2027-03-11T09:00:00")))
    assert moved.type == EventType.Exception and moved.series_master_id == master.id
    await graph.me.events.by_event_id(listed.value[2].id).delete()
    view = graph.me.calendar_view
    told = await view.get(asking(view, top=1000, **WINDOW))
    ours = [(one.type, one.subject) for one in told.value if one.series_master_id == master.id]
    assert sorted(kind.value for kind, _ in ours) == ["exception", "occurrence", "occurrence"] and {subject for _, subject in ours} == {"Booking: Haircut"}
    await graph.me.events.by_event_id(master.id).delete()


async def round(client, link=None, size=1000):
    """One round of a delta: everything that was told, and the link of the next."""
    delta, told = client.graph.me.calendar_view.delta, []
    wishes = [f"odata.maxpagesize={size}", 'IdType="ImmutableId"']
    page = await (delta.with_url(link).get(asking(delta, *wishes)) if link else delta.get(asking(delta, *wishes, **WINDOW)))
    while True:
        told += page.value
        if page.odata_delta_link:
            assert not page.odata_next_link, "a page with two links"
            return told, page.odata_delta_link
        page = await delta.with_url(page.odata_next_link).get(asking(delta, *wishes))


async def incremental(client):
    sandbox = client.sandbox
    whole, link = await round(client)
    paged, _ = await round(client, size=3)
    assert {one.id for one in whole} == {one.id for one in paged}, "pages lose nothing"
    sparse = [one for one in whole if one.type == EventType.Occurrence]
    assert sparse and all(one.show_as is None and one.subject is None for one in sparse)
    assert (await round(client, link))[0] == []
    person = {"as": "vendor", "service": "outlook"}
    made = sandbox.edit(**person, do="create_event", summary="Dentist", start="2027-02-03T10:00:00Z", end="2027-02-03T11:00:00Z")["event"]
    told, link = await round(client, link)
    assert [(one.id, one.subject) for one in told] == [(made["id"], "Dentist")]
    sandbox.edit(**person, do="delete_event", event=made["id"])
    told, link = await round(client, link)
    assert [(one.id, one.additional_data["@removed"]["reason"]) for one in told] == [(made["id"], "deleted")]
    sandbox.edit(**person, do="create_event", summary="Far", start="2028-02-03T10:00:00Z", end="2028-02-03T11:00:00Z")
    told, link = await round(client, link)
    assert ["@removed" in one.additional_data for one in told] == [True], "told of what is outside as removed"
    sandbox.fault(service="outlook", kind="cursor_lost", times=4)
    for status, code in ((410, "SyncStateNotFound"), (410, "syncStateNotFound"), (410, "resyncRequired"), (400, "SyncStateNotFound")):
        await refused(client.graph.me.calendar_view.delta.with_url(link).get(), status, code)
    delta = client.graph.me.calendar_view.delta
    await refused(delta.get(asking(delta, select=["subject"], **WINDOW)), 400, "ErrorInvalidUrlQuery")


async def schedule(client):
    ask = client.graph.me.calendar.get_schedule
    await client.graph.me.events.post(booking("busy", start=at("2027-03-28T10:00:00"), end=at("2027-03-28T11:00:00")))
    body = GetSchedulePostRequestBody(
        schedules=[client.account["username"]], start_time=at("2027-03-28T09:00:00"), end_time=at("2027-03-28T12:00:00"), availability_view_interval=60
    )
    told = await ask.post(body)
    assert told.value[0].availability_view[1] == "2", told.value[0].availability_view


async def batches(client):
    from msgraph_core.requests.batch_request_content import BatchRequestContent
    from msgraph_core.requests.batch_request_item import BatchRequestItem

    base = client.sandbox.url + "/graph/v1.0"
    events = client.graph.me.events
    content = BatchRequestContent()
    for number in range(20):
        item = BatchRequestItem(events.to_post_request_information(booking(f"batch-{number}")), id=str(number))
        # Inside of a batch addresses are relative, by Microsoft's own page; the SDK leaves the base on.
        item.url = item.url.removeprefix(base)
        content.add_request(item.id, item)
    answers = await client.graph.batch.post(batch_request_content=content)
    statuses = answers.get_response_status_codes()
    assert len(statuses) == 20 and set(statuses.values()) == {201}, statuses


async def sign_ins(client):
    old = client.application.acquire_token_silent(SCOPES, client.account)["access_token"]
    new = client.application.acquire_token_silent(SCOPES, client.account, force_refresh=True)
    assert new["access_token"] != old, new
    assert (await client.graph.me.get()).id
    sandbox = client.sandbox
    sandbox.edit(**{"as": "administrator", "do": "require_approval"})
    told = client.application.acquire_token_silent_with_error(SCOPES, client.account, force_refresh=True)
    assert told["error"] == "invalid_grant" and told["suberror"] == "consent_required" and told["error_codes"] == [65001], told
    sandbox.edit(**{"as": "administrator", "do": "approve"})
    # MSAL remembers a refusal for a minute; another one of it asks anew.
    application, account = sign_in(sandbox)
    sandbox.fault(service="outlook", kind="token_revoked", times=1)
    await refused(client.graph.me.get(), 401, "InvalidAuthenticationToken")
    told = application.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert told["error"] == "invalid_grant" and told["error_codes"] == [50173], told


def flows(sandbox):
    """Everything, in one event loop. Gives back the names of the flows and the answers that were kept."""
    return asyncio.run(all_flows(sandbox))


async def all_flows(sandbox):
    client, told = Client(sandbox), []
    for flow in (who, calendars, writes, series, incremental, schedule, batches, sign_ins):
        name = flow.__name__.replace("_", "-")
        try:
            await flow(client)
        except Exception as error:
            raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error
        told.append(name)
    return told, client.answers
