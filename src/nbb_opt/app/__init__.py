"""The local web app: fleet plans in a browser for people who do not type commands. Nothing leaves the machine."""
