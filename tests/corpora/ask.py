"""Puts questions to our calendar engine: a batch of them through one process, answers in the same order."""

import concurrent.futures
import json
import os
import subprocess
import tempfile

FAR_PAST, FAR_FUTURE = "1000-01-01T00:00:00Z", "9999-12-30T00:00:00Z"


class Engine:
    """Our side of every comparison: the `ask` example of the crate `calendar`."""

    def __init__(self, program):
        self.program = program
        # The most memory that one process of it ever held.
        self.peak_kilobytes = 0

    def ask(self, questions, processes=2):
        """The answers, in order. A process that dies takes the answer it owed and nothing else with it."""
        questions = list(questions)
        size = -(-len(questions) // processes) or 1
        shares = [questions[at : at + size] for at in range(0, len(questions), size)]
        with concurrent.futures.ThreadPoolExecutor(processes) as pool:
            return [answer for share in pool.map(self._share, shares) for answer in share]

    def _share(self, questions):
        answers = []
        while len(answers) < len(questions):
            left = questions[len(answers) :]
            with tempfile.TemporaryFile("w+", encoding="utf-8") as asked, tempfile.TemporaryFile() as told:
                asked.writelines(json.dumps(question) + "\n" for question in left)
                asked.seek(0)
                process = subprocess.Popen([self.program], stdin=asked, stdout=told)
                _, status, used = os.wait4(process.pid, 0)
                process.returncode = status
                self.peak_kilobytes = max(self.peak_kilobytes, used.ru_maxrss)
                told.seek(0)
                answers += [json.loads(line) for line in told if line.endswith(b"\n")]
            if len(answers) < len(questions):
                answers.append({"died": status})
        return answers


def question(zone="UTC", start=FAR_PAST, end=FAR_FUTURE, **what):
    """What `ask` reads: a file or a text, and the window."""
    return {"zone": zone, "from": start, "to": end, **what}


def calendar(*lines):
    """The text of a calendar with these lines between BEGIN and END of one event."""
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:e", *lines, "END:VEVENT", "END:VCALENDAR", ""]
    )
