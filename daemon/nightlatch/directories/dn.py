"""Distinguished names (RFC 4514), see `nightlatch.dn`."""

from nightlatch.dn import lies_under, split_dn

__all__ = ["lies_under", "split_dn"]
