"""slots keep their wall clock, meetings have an attendant

Revision: 0011
Follows: 0010
"""

import sqlalchemy as sa
from alembic import op

import core.db
from core.calendar import wall_clock
from core.settings import Settings

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

FREE = sa.text("state = 'open' AND taken < capacity")


def upgrade() -> None:
    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('attendant_id', sa.String(), nullable=True))

    with op.batch_alter_table('appointment_slot', schema=None) as batch_op:
        batch_op.add_column(sa.Column('wall_start', sa.String(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('zone', sa.String(), server_default='', nullable=False))
        batch_op.create_index('ix_appointment_slot_free', ['starts_at', 'id'], unique=False, sqlite_where=FREE, postgresql_where=FREE)

    # Slots have been planned by the installation's clock until now: that is the time that was promised.
    zone, connection = Settings().timezone, op.get_bind()
    slot = sa.table('appointment_slot', sa.column('id', sa.String()), sa.column('starts_at', core.db.UtcDateTime()),
                    sa.column('wall_start', sa.String()), sa.column('zone', sa.String()))
    rows = [
        {'slot_id': slot_id, 'shown': wall_clock(starts_at, zone)}
        for slot_id, starts_at in connection.execute(sa.select(slot.c.id, slot.c.starts_at)).all()
    ]
    if rows:
        connection.execute(
            sa.update(slot).where(slot.c.id == sa.bindparam('slot_id')).values(wall_start=sa.bindparam('shown'), zone=zone),
            rows,
        )


def downgrade() -> None:
    with op.batch_alter_table('appointment_slot', schema=None) as batch_op:
        batch_op.drop_index('ix_appointment_slot_free', sqlite_where=FREE, postgresql_where=FREE)
        batch_op.drop_column('zone')
        batch_op.drop_column('wall_start')

    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.drop_column('attendant_id')
