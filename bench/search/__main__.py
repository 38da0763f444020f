"""`python -m bench.search`: progress on stderr, one line of JSON on stdout. See docs/bench-search.md."""

from bench.search.run import main

if __name__ == "__main__":
    main()
