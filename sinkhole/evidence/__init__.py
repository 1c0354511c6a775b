"""Reports for people who decide: who tried which vendor, as a value that is the same wherever its numbers come from."""
