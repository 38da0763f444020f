"""The telephone system's way in: it announces a call, and the agent's page opens."""
