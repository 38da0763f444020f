"""The media plane: forwards the packets of a meeting between its participants and hands a copy to the
recorder.

It knows no database and decodes nothing. What it must know about meetings comes through
`directory.Directory`, what it records leaves through `recorder.PacketSink`; everything else is packets.
"""
