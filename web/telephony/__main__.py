"""`python -m web.telephony`: where the telephone system announces calls, and the secret that it sends."""

from core.settings import Settings
from web.telephony.routes import secret_of

settings = Settings()
print(f"POST {settings.url}/callbacks/telephony\nAuthorization: Bearer {secret_of(settings)}")
