"""Google's own Python client, driving the sandbox through everything a sync does.

The client is built from the discovery document in its wheel, so paths, parameters and bodies are Google's, not ours.
"""

import json

from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest
from google.api_core.client_options import ClientOptions

from sandbox import CALENDAR

START = {"dateTime": "2027-02-02T10:00:00Z"}
END = {"dateTime": "2027-02-02T11:00:00Z"}


def client(document, endpoint, credentials):
    return build_from_document(
        document, credentials=credentials, client_options=ClientOptions(api_endpoint=endpoint)
    )


def refused(call, status, reason):
    """The call is refused with this status and this reason, as the client reads them."""
    try:
        call.execute(num_retries=0)
    except HttpError as error:
        details = json.loads(error.content)["error"]["errors"][0]
        told = (error.resp.status, details["reason"])
        assert told == (status, reason), f"{told} is not {(status, reason)}: {error}"
        return error
    raise AssertionError(f"not refused with {status} {reason}: {call.method} {call.uri}")


def every_event(calendar, **query):
    """All pages of a list, and its sync token."""
    items, request = [], calendar.events().list(**query)
    while request is not None:
        page = request.execute()
        items += page["items"]
        assert not ("nextPageToken" in page and "nextSyncToken" in page), "a sync token before the last page"
        token = page.get("nextSyncToken")
        request = calendar.events().list_next(request, page)
    return items, token


def conditional(request, etag):
    request.headers["If-Match"] = etag
    return request


def calendars(calendar):
    listed = calendar.calendarList().list(maxResults=1).execute()
    seen = []
    while True:
        seen += listed["items"]
        if "nextPageToken" not in listed:
            break
        listed = calendar.calendarList().list(maxResults=1, pageToken=listed["nextPageToken"]).execute()
    assert len(seen) == 3, seen
    assert [entry["accessRole"] for entry in seen if entry.get("primary")] == ["owner"]
    made = calendar.calendars().insert(body={"summary": "Bookiji", "timeZone": "America/Toronto"}).execute()
    assert calendar.calendarList().get(calendarId=made["id"]).execute()["accessRole"] == "owner"
    calendar.calendars().patch(calendarId=made["id"], body={"description": "ours"}).execute()
    assert calendar.calendars().get(calendarId=made["id"]).execute()["description"] == "ours"
    delta = calendar.calendarList().list(syncToken=listed["nextSyncToken"]).execute()
    assert [entry["id"] for entry in delta["items"]] == [made["id"]]
    calendar.calendars().delete(calendarId=made["id"]).execute()
    refused(calendar.calendars().get(calendarId=made["id"]), 404, "notFound")
    refused(calendar.calendars().insert(body={}), 400, "required")
    refused(calendar.calendars().delete(calendarId="primary"), 400, "invalid")


def writes(calendar):
    events = calendar.events()
    body = {
        "id": "judge0000000001",
        "summary": "Booking: Haircut",
        "start": START,
        "end": END,
        "extendedProperties": {"private": {"bookijiBooking": "b1", "bookijiGeneration": "0"}},
    }
    made = events.insert(calendarId="primary", body=body).execute()
    assert made["etag"].startswith('"') and made["status"] == "confirmed"
    assert made["iCalUID"] == "judge0000000001@google.com"
    refused(events.insert(calendarId="primary", body=body), 409, "duplicate")
    refused(events.insert(calendarId="primary", body={**body, "id": "with-hyphen"}), 400, "invalid")
    refused(events.insert(calendarId="primary", body={**body, "id": "abcd"}), 400, "invalid")
    refused(events.insert(calendarId="primary", body={"start": START}), 400, "required")
    refused(events.insert(calendarId="primary", body={"start": END, "end": START}), 400, "timeRangeEmpty")

    one = {"calendarId": "primary", "eventId": made["id"]}
    patched = events.patch(
        **one, body={"summary": "Moved", "extendedProperties": {"private": {"bookijiGeneration": None}}}
    ).execute()
    assert patched["etag"] != made["etag"] and patched["start"] == made["start"]
    assert patched["extendedProperties"]["private"] == {"bookijiBooking": "b1"}
    refused(conditional(events.patch(**one, body={"summary": "stale"}), made["etag"]), 412, "conditionNotMet")
    refused(conditional(events.delete(**one), made["etag"]), 412, "conditionNotMet")
    conditional(events.patch(**one, body={"summary": "fresh"}), patched["etag"]).execute()

    replaced = events.update(**one, body={"start": START, "end": END}).execute()
    assert "summary" not in replaced and "extendedProperties" not in replaced
    assert events.get(**one).execute()["etag"] == replaced["etag"]
    found = events.list(calendarId="primary", privateExtendedProperty="bookijiBooking=b1").execute()
    assert found["items"] == [] and "nextSyncToken" not in found

    conditional(events.delete(**one), replaced["etag"]).execute()
    assert events.get(**one).execute()["status"] == "cancelled"
    refused(events.delete(**one), 410, "deleted")
    refused(events.insert(calendarId="primary", body=body), 409, "duplicate")
    refused(events.patch(**one, body={"summary": "x"}), 403, "forbidden")
    refused(events.get(calendarId="primary", eventId="neverwas0000"), 404, "notFound")
    refused(events.delete(calendarId="primary", eventId="neverwas0000"), 404, "notFound")


def series(calendar):
    events = calendar.events()
    zone = {"timeZone": "America/Toronto"}
    weekly = {
        "summary": "Yoga",
        "start": {"dateTime": "2027-03-02T19:00:00-05:00", **zone},
        "end": {"dateTime": "2027-03-02T20:00:00-05:00", **zone},
        "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"],
    }
    refused(events.insert(calendarId="primary", body={**weekly, "start": {"dateTime": "2027-03-02T19:00:00-05:00"}}), 400, "required")
    refused(events.insert(calendarId="primary", body={**weekly, "recurrence": ["DTSTART:20270302T190000Z"]}), 400, "invalid")
    master = events.insert(calendarId="primary", body=weekly).execute()
    instances = events.instances(calendarId="primary", eventId=master["id"]).execute()["items"]
    # The clocks change on 14 March: the wall time stays.
    starts = [one["start"]["dateTime"] for one in instances]
    assert starts == [
        "2027-03-02T19:00:00-05:00",
        "2027-03-09T19:00:00-05:00",
        "2027-03-16T19:00:00-04:00",
        "2027-03-23T19:00:00-04:00",
    ], starts
    _, token = every_event(calendar, calendarId="primary")
    moved = events.patch(
        calendarId="primary",
        eventId=instances[1]["id"],
        body={"start": {"dateTime": "2027-03-10T08:00:00-05:00"}, "end": {"dateTime": "2027-03-10T09:00:00-05:00"}},
    ).execute()
    assert moved["recurringEventId"] == master["id"]
    assert moved["originalStartTime"]["dateTime"] == "2027-03-09T19:00:00-05:00"
    events.delete(calendarId="primary", eventId=instances[2]["id"]).execute()
    changed, _ = every_event(calendar, calendarId="primary", syncToken=token)
    gone = [one for one in changed if one["status"] == "cancelled"]
    assert [one["id"] for one in changed if one["status"] != "cancelled"] == [moved["id"]]
    assert gone[0]["recurringEventId"] == master["id"] and "originalStartTime" in gone[0]
    window = {"timeMin": "2027-03-01T00:00:00Z", "timeMax": "2027-04-01T00:00:00Z"}
    shown, _ = every_event(calendar, calendarId="primary", singleEvents=True, orderBy="startTime", q="yoga", **window)
    ours = [one["start"]["dateTime"] for one in shown if one.get("recurringEventId") == master["id"]]
    assert ours == [starts[0], "2027-03-10T08:00:00-05:00", starts[3]], ours
    events.delete(calendarId="primary", eventId=master["id"]).execute()


def incremental(calendar, sandbox):
    events = calendar.events()
    all_at_once, token = every_event(calendar, calendarId="primary", maxResults=2500)
    in_pages, _ = every_event(calendar, calendarId="primary", maxResults=7)
    assert sorted(one["id"] for one in all_at_once) == sorted(one["id"] for one in in_pages)
    assert every_event(calendar, calendarId="primary", syncToken=token)[0] == []
    made = sandbox.edit(**{"as": "vendor", "do": "create_event", "summary": "Dentist", "start": START["dateTime"], "end": END["dateTime"]})
    changed, next_token = every_event(calendar, calendarId="primary", syncToken=token)
    assert [one["id"] for one in changed] == [made["event"]["id"]]
    sandbox.edit(**{"as": "vendor", "do": "delete_event", "event": made["event"]["id"]})
    changed, _ = every_event(calendar, calendarId="primary", syncToken=next_token)
    assert [one["status"] for one in changed] == ["cancelled"]
    beside = {"timeMin": START["dateTime"], "timeMax": END["dateTime"], "q": "x", "orderBy": "updated", "iCalUID": "x", "updatedMin": sandbox.state()["now"], "privateExtendedProperty": "a=b", "sharedExtendedProperty": "a=b", "showDeleted": False}
    for name, value in beside.items():
        refused(events.list(calendarId="primary", syncToken=token, **{name: value}), 400, "badRequest")
    refused(events.list(calendarId="primary", orderBy="startTime"), 400, "badRequest")
    refused(events.list(calendarId="primary", timeMin=END["dateTime"], timeMax=START["dateTime"]), 400, "timeRangeEmpty")
    sandbox.fault(service="google", kind="cursor_lost", times=1)
    refused(events.list(calendarId="primary", syncToken=token), 410, "fullSyncRequired")
    short, _ = every_event(calendar, calendarId="primary", maxResults=250)
    sandbox.fault(service="google", kind="short_page", times=3)
    again, _ = every_event(calendar, calendarId="primary", maxResults=250)
    assert [one["id"] for one in short] == [one["id"] for one in again], "short and empty pages lose nothing"


def busy(calendar):
    body = {"timeMin": "2027-02-01T00:00:00Z", "timeMax": "2027-02-08T00:00:00Z", "timeZone": "UTC", "items": [{"id": "primary"}, {"id": "nobody@example.com"}]}
    before = calendar.freebusy().query(body=body).execute()
    assert before["calendars"]["nobody@example.com"]["errors"][0]["reason"] == "notFound"
    for start, end in (("2027-02-03T03:00:00Z", "2027-02-03T04:00:00Z"), ("2027-02-03T04:00:00Z", "2027-02-03T05:00:00Z")):
        calendar.events().insert(calendarId="primary", body={"start": {"dateTime": start}, "end": {"dateTime": end}}).execute()
    after = calendar.freebusy().query(body=body).execute()["calendars"]["primary"]["busy"]
    new = [block for block in after if block not in before["calendars"]["primary"]["busy"]]
    assert new == [{"start": "2027-02-03T03:00:00Z", "end": "2027-02-03T05:00:00Z"}], new


def batches(document, sandbox):
    """The client's own batches: put together and taken apart by it, with a refusal that is one call's alone.

    They go to the sandbox itself: what stands inside them is the path there, which no judge in between can read.
    """
    endpoint = sandbox.url + "/google/calendar/v3/"
    events = client(document, endpoint, sandbox.google_credentials([CALENDAR])).events()
    answers = {}

    def heard(name, answer, error):
        answers[name] = answer["id"] if error is None else (error.resp.status, error.error_details[0]["reason"])

    def send(bodies):
        answers.clear()
        batch = BatchHttpRequest(callback=heard, batch_uri=sandbox.url + "/google/batch/calendar/v3")
        for body in bodies:
            batch.add(events.insert(calendarId="primary", body=body), request_id=body["id"])
        batch.execute()
        return dict(answers)

    bodies = [{"id": f"batchjudge{n:04}", "summary": "Färbung", "start": START, "end": END} for n in range(50)]
    assert send(bodies) == {body["id"]: body["id"] for body in bodies}
    assert events.get(calendarId="primary", eventId=bodies[7]["id"]).execute()["summary"] == "Färbung"
    told = send([bodies[0], {**bodies[1], "id": "with-hyphen"}, {**bodies[2], "id": "batchjudge9999"}])
    assert told == {
        bodies[0]["id"]: (409, "duplicate"),
        "with-hyphen": (400, "invalid"),
        "batchjudge9999": "batchjudge9999",
    }, told
    insert = "POST /calendar/v3/calendars/{calendarId}/events"
    sandbox.fault(service="google", route=insert, kind="status:403:rateLimitExceeded", times=1)
    told = send([{**bodies[0], "id": "batchjudge9001"}, {**bodies[0], "id": "batchjudge9002"}])
    assert told == {"batchjudge9001": (403, "rateLimitExceeded"), "batchjudge9002": "batchjudge9002"}, told
    # The client renews the sign-in when the calls inside are refused, and sends those again.
    sandbox.call("POST", "/_sandbox/clock", {"advance_s": 3700})
    assert send([{**bodies[0], "id": "batchjudge9003"}]) == {"batchjudge9003": "batchjudge9003"}
    try:
        send([{**bodies[0], "id": f"toomany{n:06}"} for n in range(51)])
    except HttpError as error:
        assert error.resp.status == 400, error
    else:
        raise AssertionError("fifty-one calls at once were taken")


def permissions(document, endpoint, sandbox):
    narrow = sandbox.google_credentials([CALENDAR + ".app.created", CALENDAR + ".calendarlist.readonly", CALENDAR + ".events.readonly"])
    calendar = client(document, endpoint, narrow)
    holidays = next(one["id"] for one in calendar.calendarList().list().execute()["items"] if one["accessRole"] == "reader")
    event = {"start": START, "end": END}
    made = calendar.calendars().insert(body={"summary": "Bookiji"}).execute()
    calendar.events().insert(calendarId=made["id"], body=event).execute()
    refused(calendar.events().insert(calendarId="primary", body=event), 404, "notFound")
    refused(calendar.freebusy().query(body={"timeMin": START["dateTime"], "timeMax": END["dateTime"], "items": []}), 403, "insufficientPermissions")
    wide = client(document, endpoint, sandbox.google_credentials([CALENDAR]))
    refused(wide.events().insert(calendarId=holidays, body=event), 403, "requiredAccessLevel")


def sign_in(document, endpoint, sandbox):
    credentials = sandbox.google_credentials([CALENDAR])
    calendar = client(document, endpoint, credentials)
    old = credentials.token
    calendar.calendarList().list().execute()
    sandbox.call("POST", "/_sandbox/clock", {"advance_s": 3700})
    # The client meets the 401, refreshes, and asks again.
    calendar.calendarList().list().execute()
    assert credentials.token != old, "the access token was refreshed"
    sandbox.fault(service="google", kind="token_revoked", times=1)
    from google.auth.exceptions import RefreshError

    try:
        calendar.calendarList().list().execute()
    except RefreshError as error:
        assert "invalid_grant" in str(error), error
    else:
        raise AssertionError("a revoked consent was not noticed")


def flows(document, endpoint, sandbox):
    """Everything, through `endpoint`: the sandbox itself, or a judge that stands before it."""
    calendar = client(document, endpoint, sandbox.google_credentials([CALENDAR]))
    told = []
    for name, flow in {
        "calendars": lambda: calendars(calendar),
        "writes": lambda: writes(calendar),
        "series": lambda: series(calendar),
        "incremental": lambda: incremental(calendar, sandbox),
        "freebusy": lambda: busy(calendar),
        "batches": lambda: batches(document, sandbox),
        "permissions": lambda: permissions(document, endpoint, sandbox),
        "sign-in": lambda: sign_in(document, endpoint, sandbox),
    }.items():
        try:
            flow()
        except Exception as error:
            raise AssertionError(f"{name}: {error}") from error
        told.append(name)
    return told
