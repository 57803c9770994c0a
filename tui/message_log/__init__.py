"""The content of the message pane without a screen: entries, layout, colours, search and copying.

Nothing here uses a clock, a socket or a widget. `tui.widgets.message_pane` draws it.
"""
