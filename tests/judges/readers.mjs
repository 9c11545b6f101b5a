// Reads calendar files with ical.js: the half of readers.py that needs Node.

import { readFileSync } from "node:fs";
import ICAL from "ical.js";

function read(path) {
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(path, "utf8")));
  const zones = new Map();
  for (const zone of calendar.getAllSubcomponents("vtimezone")) {
    zones.set(zone.getFirstPropertyValue("tzid"), new ICAL.Timezone(zone));
  }
  const instant = (property) => {
    const time = property.getFirstValue();
    const name = property.getParameter("tzid");
    if (name) time.zone = zones.get(name);
    return time.toUnixTime();
  };
  const person = (property) =>
    property && { address: property.getFirstValue(), parameters: upper(property.toJSON()[1]) };
  const events = calendar.getAllSubcomponents("vevent").map((event) => {
    const text = (name) => event.getFirstPropertyValue(name) ?? "";
    return {
      uid: text("uid"),
      start: instant(event.getFirstProperty("dtstart")),
      end: instant(event.getFirstProperty("dtend")),
      stamp: instant(event.getFirstProperty("dtstamp")),
      summary: text("summary"),
      description: text("description"),
      status: text("status"),
      sequence: text("sequence"),
      transparency: text("transp"),
      organizer: person(event.getFirstProperty("organizer")),
      attendee: person(event.getFirstProperty("attendee")),
    };
  });
  return { method: calendar.getFirstPropertyValue("method"), zones: [...zones.keys()].sort(), events };
}

function upper(parameters) {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name.toUpperCase(), value]));
}

console.log(JSON.stringify(process.argv.slice(2).map(read)));
