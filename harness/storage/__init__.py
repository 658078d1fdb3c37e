"""Where things lie and how they are written: a crash tears nothing, a changed disk is noticed."""
