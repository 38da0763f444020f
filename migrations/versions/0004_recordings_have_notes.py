"""recordings have notes

Revision: 0004
Follows: 0003
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('recording_note',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('recording_id', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('at_s', sa.Double(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('written_by', sa.String(), nullable=False),
    sa.Column('written_at', core.db.UtcDateTime(), nullable=False),
    sa.Column('changed_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('deleted_at', core.db.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['recording_id'], ['recording.id'], name=op.f('fk_recording_note_recording_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recording_note'))
    )
    with op.batch_alter_table('recording_note', schema=None) as batch_op:
        batch_op.create_index('ix_recording_note_place', ['recording_id', 'at_s'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('recording_note', schema=None) as batch_op:
        batch_op.drop_index('ix_recording_note_place')

    op.drop_table('recording_note')
