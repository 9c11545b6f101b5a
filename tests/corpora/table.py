"""What every comparison comes to: cases that agree, and differences, each judged in `differences.tsv` or a failure."""

import collections
import csv
import pathlib
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent


@dataclass(frozen=True)
class Case:
    """One comparison. `differs` says how, where it does."""

    corpus: str
    name: str
    differs: str = ""


def judged():
    """The differences that stand: (corpus, name) -> (section, why). A name that ends in `*` stands for a few."""
    with open(HERE / "differences.tsv", encoding="utf-8") as table:
        rows = csv.reader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {(row[0], row[1]): (row[2], row[3]) for row in rows if row and not row[0].startswith("#")}


def verdict(known, case):
    """The judgement that a difference falls under."""
    for key in known:
        corpus, name = key
        if corpus == case.corpus and (name == case.name or (name[-1] == "*" and case.name.startswith(name[:-1]))):
            return key
    return None


def close(cases):
    """Prints the rate of each corpus and what differs; answers whether the table is right about all of it."""
    known, met, holds = judged(), set(), True
    by_corpus = collections.defaultdict(list)
    for case in cases:
        by_corpus[case.corpus].append(case)
    for corpus, its_cases in by_corpus.items():
        different = [case for case in its_cases if case.differs]
        agreed = len(its_cases) - len(different)
        print(f"{corpus}: {agreed} of {len(its_cases)} agree ({agreed / len(its_cases):.2%})")
        for case in different:
            key = verdict(known, case)
            if key:
                if key not in met:
                    print("  judged  {}: {} [{}]".format(key[1], known[key][1], known[key][0]))
                met.add(key)
            else:
                holds = False
                print(f"  DIFFERS {case.name}: {case.differs}")
        for key in known:
            if key[0] == corpus and key not in met:
                holds = False
                print(f"  STALE   {key[1]}: differences.tsv says that it differs, and it does not")
    return holds
