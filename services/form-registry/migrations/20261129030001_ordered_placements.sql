-- Whether its form named the channel of a placement; not known of what earlier releases placed.
ALTER TABLE forms.placement ADD ordered boolean;
