"""Single sign-on: a tenant's own provider lets its members in, into this tenant and nowhere else."""
