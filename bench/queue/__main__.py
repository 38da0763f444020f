"""`python -m bench.queue`: progress on stderr, one line of JSON on stdout. See docs/bench-queue.md."""

from bench.queue.run import main

if __name__ == "__main__":
    main()
