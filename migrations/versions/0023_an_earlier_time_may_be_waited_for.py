"""an earlier time may be waited for, and sessions follow the working hours

Revision: 0023
Follows: 0022
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

LIVE = "state IN ('held', 'booked', 'checked_in')"
ONE_LIVE = sa.text(f"{LIVE} AND NOT for_earlier")
ONE_BESIDE = sa.text("state = 'held' AND for_earlier")


def upgrade() -> None:
    """Sessions that stand already stay as they were set: they follow the working hours once they are changed."""
    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('for_earlier', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.drop_index('uq_appointment_petition_live')
    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.create_index('uq_appointment_petition_live', ['petition_id'], unique=True, sqlite_where=ONE_LIVE, postgresql_where=ONE_LIVE)
        batch_op.create_index('uq_appointment_earlier', ['petition_id'], unique=True, sqlite_where=ONE_BESIDE, postgresql_where=ONE_BESIDE)

    with op.batch_alter_table('appointment_series', schema=None) as batch_op:
        batch_op.add_column(sa.Column('own_hours', sa.Boolean(), server_default=sa.true(), nullable=False))

    with op.batch_alter_table('waitlist', schema=None) as batch_op:
        batch_op.add_column(sa.Column('for_earlier', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Places kept for an earlier time are let go with their offers, and who waited for one waits no longer."""
    op.execute("UPDATE waitlist_offer SET state = 'withdrawn' WHERE state = 'open' AND waiting_id IN (SELECT id FROM waitlist WHERE for_earlier)")
    op.execute("UPDATE waitlist SET state = 'left' WHERE for_earlier AND state IN ('waiting', 'offered', 'paused')")
    op.execute(f"DELETE FROM appointment_claim WHERE owner_id IN (SELECT id FROM appointment WHERE {ONE_BESIDE.text})")
    op.execute(f"UPDATE appointment_slot SET taken = taken - (SELECT count(*) FROM appointment WHERE slot_id = appointment_slot.id AND {ONE_BESIDE.text.replace('state', 'appointment.state')})")
    op.execute("DELETE FROM appointment_claim WHERE owner_id IN (SELECT id FROM appointment_slot WHERE taken = 0)")
    op.execute(f"UPDATE appointment SET state = 'expired', held_until = NULL WHERE {ONE_BESIDE.text}")
    with op.batch_alter_table('waitlist', schema=None) as batch_op:
        batch_op.drop_column('for_earlier')

    with op.batch_alter_table('appointment_series', schema=None) as batch_op:
        batch_op.drop_column('own_hours')

    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.drop_index('uq_appointment_earlier')
        batch_op.drop_index('uq_appointment_petition_live')
    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.drop_column('for_earlier')
        batch_op.create_index('uq_appointment_petition_live', ['petition_id'], unique=True, sqlite_where=sa.text(LIVE), postgresql_where=sa.text(LIVE))
