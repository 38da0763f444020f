"""`python -m bench.lines`: progress on stderr, one line of JSON on stdout. See docs/bench-lines.md."""

from bench.lines.run import main

if __name__ == "__main__":
    main()
