"""`python -m bench.recordings`: progress on stderr, one line of JSON on stdout. See docs/bench-recordings.md."""

from bench.recordings.run import main

if __name__ == "__main__":
    main()
