"""The hotline: find the case in seconds, read out where it stands, write the call down."""
