"""How a tenant introduces customer success: three phases and the PLG checklist."""
