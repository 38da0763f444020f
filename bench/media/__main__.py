"""`python -m bench.media`: progress on stderr, one line of JSON on stdout. See bench/README.md."""

from bench.media.run import main

if __name__ == "__main__":
    main()
