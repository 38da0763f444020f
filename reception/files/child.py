"""The process in which papers are opened: `python -I child.py '{limits}' root`. One paper, then it is gone.

Everything is imported first; then it gives up what it doesn't need (recordings/export/jail.py: no file but libraries
to read, none to write, no network, no other process), and only then it is told of the paper. So it can wait, warm,
for the next one, and what a paper does to it concerns no other paper and nobody's web page.

Standard input: one line of JSON, then the bytes. Standard output: one line of JSON, then the bytes.
"""

import contextlib
import importlib
import json
import os
import resource
import sys
from typing import Any


def main() -> None:
    limits, root = json.loads(sys.argv[1]), sys.argv[2]
    sys.path.insert(0, root)
    from PIL import Image

    Image.init()
    from core.errors import Mistake, NotFound
    from reception.files import documents, pictures, rules, sounds, views  # noqa: F401 - nothing is imported later

    with contextlib.suppress(ImportError):  # imported before the doors close; without it no page is drawn
        importlib.import_module("pypdfium2")
    from recordings.export.jail import READABLE, confine

    rules.magic.from_buffer(b"%PDF-1.7", mime=True)  # reads its tables
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu"],) * 2)
    for which in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(which, (0, 0))
    confine([*READABLE, sys.prefix, sys.base_prefix])

    line = sys.stdin.buffer.readline()
    if not line:  # whoever wanted it is gone
        os._exit(0)
    asked = json.loads(line)
    parts = [sys.stdin.buffer.read(size) for size in asked["sizes"]]
    name, task = asked["name"], asked["task"]
    answer: dict[str, Any]
    data = b""
    try:
        if task == "page":
            data = views.page(parts[0], asked["media_type"], asked["number"])
            answer = {"name": name, "media_type": rules.JPEG, "pages": 1}
        else:
            if task == "note":
                paper = sounds.note(name, parts[0], limit=asked["limit"])
            elif task == "scan":
                shown = rules.safe_name(name)
                made, copy, pages = pictures.bind(shown, parts)
                paper = rules.Paper(rules.titled(shown, made), made, copy, pages)
            else:
                paper = rules.inspect(name, parts[0], limit=asked["limit"])
            data = paper.data
            answer = {"name": paper.name, "media_type": paper.media_type, "pages": paper.pages}
    except Mistake as mistake:
        answer = {"mistake": mistake.message, "fields": mistake.fields}
    except NotFound:
        answer = {"absent": True}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + data)
    sys.stdout.buffer.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
