"""JupyterHub with oauthenticator, both unmodified; addresses and keys come from ELARA_STAND_IN (JSON)."""

import json
import os

c = get_config()  # noqa: F821
given = json.loads(os.environ["ELARA_STAND_IN"])

c.JupyterHub.bind_url = given["bind"]
c.JupyterHub.hub_bind_url = given["hub"]
c.ConfigurableHTTPProxy.api_url = given["api"]
c.JupyterHub.authenticator_class = given["authenticator"]
c.JupyterHub.spawner_class = "simple"
c.Authenticator.enable_auth_state = True

for trait, value in given["options"].items():
    setattr(c.OAuthenticator, trait, set(value) if trait.startswith("allowed_") else value)
