"""The screens, which fill the whole terminal, and the dialogs on them."""
