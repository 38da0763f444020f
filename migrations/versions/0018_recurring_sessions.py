"""recurring sessions; why a slot was closed and an appointment moved

Revision: 0018
Follows: 0017
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

CLOSED_FOR = sa.text('closed_for IS NOT NULL')


def upgrade() -> None:
    op.create_table('appointment_series',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('official_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('centre_id', sa.String(), nullable=True),
    sa.Column('place_ar', sa.String(), nullable=False),
    sa.Column('place_en', sa.String(), nullable=False),
    sa.Column('zone', sa.String(), nullable=False),
    sa.Column('weekdays', sa.JSON(), nullable=False),
    sa.Column('every_weeks', sa.Integer(), nullable=False),
    sa.Column('start', sa.Integer(), nullable=False),
    sa.Column('end', sa.Integer(), nullable=False),
    sa.Column('ramadan_start', sa.Integer(), nullable=True),
    sa.Column('ramadan_end', sa.Integer(), nullable=True),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('pause', sa.Integer(), nullable=False),
    sa.Column('capacity', sa.Integer(), nullable=False),
    sa.Column('reserved_urgent', sa.Integer(), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=True),
    sa.Column('made_until', sa.Date(), nullable=False),
    sa.Column('created_at', core.db.UtcDateTime(), nullable=False),
    sa.Column('created_by', sa.String(), nullable=False),
    sa.Column('ended_at', core.db.UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appointment_series'))
    )
    with op.batch_alter_table('appointment_series', schema=None) as batch_op:
        batch_op.create_index('ix_appointment_series_made', ['ended_at', 'made_until'], unique=False)
        batch_op.create_index(batch_op.f('ix_appointment_series_official_id'), ['official_id'], unique=False)
    op.create_table('appointment_series_exception',
    sa.Column('series_id', sa.String(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('start', sa.Integer(), nullable=True),
    sa.Column('end', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('made_at', core.db.UtcDateTime(), nullable=False),
    sa.Column('made_by', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['series_id'], ['appointment_series.id'], name=op.f('fk_appointment_series_exception_series_id')),
    sa.PrimaryKeyConstraint('series_id', 'day', name=op.f('pk_appointment_series_exception'))
    )
    op.add_column('appointment_slot', sa.Column('series_id', sa.String(), nullable=True))
    op.add_column('appointment_slot', sa.Column('closed_for', sa.String(), nullable=True))
    op.create_index('ix_appointment_slot_series', 'appointment_slot', ['series_id', 'starts_at'], unique=False)
    op.create_index('ix_appointment_slot_closed_for', 'appointment_slot', ['closed_for'], unique=False,
                    sqlite_where=CLOSED_FOR, postgresql_where=CLOSED_FOR)
    op.add_column('appointment', sa.Column('moved_for', sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column('appointment', 'moved_for')
    op.drop_index('ix_appointment_slot_closed_for', 'appointment_slot')
    op.drop_index('ix_appointment_slot_series', 'appointment_slot')
    op.drop_column('appointment_slot', 'closed_for')
    op.drop_column('appointment_slot', 'series_id')
    op.drop_table('appointment_series_exception')
    op.drop_table('appointment_series')
