"""`python -m bench.soak`: progress on stderr, one line of JSON on stdout. See bench/README.md."""

from bench.soak.run import main

if __name__ == "__main__":
    main()
