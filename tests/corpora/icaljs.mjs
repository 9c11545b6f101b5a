// Expands rules with ical.js: one JSON question a line on standard input, one JSON list of seconds a line out.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import vm from "node:vm";

const { default: ICAL } = await import(pathToFileURL(process.argv[2]).href);
// A rule that never fires keeps it for ever; the virtual machine can be stopped.
const MOST_MS = 150;
const world = vm.createContext({ expanded, question: null });
const work = new vm.Script("expanded(question)");

function seconds(time) {
  return Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second) / 1000;
}

function expanded({ rule, start, last }) {
  const iterator = ICAL.Recur.fromString(rule).iterator(ICAL.Time.fromString(start));
  const found = [];
  for (let next = iterator.next(); next && seconds(next) <= last; next = iterator.next()) {
    found.push(seconds(next));
  }
  return found;
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    world.question = JSON.parse(line);
    answer = { found: work.runInContext(world, { timeout: MOST_MS }) };
  } catch (error) {
    answer = error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT" ? { late: true } : { refused: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
