"""`python -m bench.booking`: progress on stderr, one line of JSON on stdout. See docs/bench-booking.md."""

from bench.booking.run import main

if __name__ == "__main__":
    main()
