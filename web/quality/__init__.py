"""Quality of meetings: how the connections fared, for the office, the administrators and a centre's manager."""
