"""`python -m bench.sms`: progress on stderr, one line of JSON on stdout. See docs/bench-sms.md."""

from bench.sms.run import main

if __name__ == "__main__":
    main()
