"""Google Cloud behind the ports; every client is imported and made when it is first used."""
