"""SMS by HTTP gateways and by SMPP: the channels of kind "twilio", "http_sms" and "smpp"."""
