"""The configuration: one TOML file, checked as a whole before anything is built from it."""

from nightlatch.config.check import KEY_NAME, check_config
from nightlatch.config.load import load_config
from nightlatch.config.schema import Config

__all__ = ["KEY_NAME", "Config", "check_config", "load_config"]
