"""The admin side: API and pages over the functions of `app`, as the command line is another front over them."""
