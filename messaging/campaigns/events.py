from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CampaignChanged:
    """It was proposed, decided, started, paused, resumed, cancelled or has come to its end."""

    campaign_id: str
    state: str


@dataclass(frozen=True, slots=True)
class CampaignAdvanced:
    campaign_id: str
    written: int
