"""Where recordings lie: in the local folder, in a bucket, or in both; and when a local copy may go."""
